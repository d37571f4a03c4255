"""Estimators of scikit-learn: an optimal-transport autoencoder as a transformer, a clusterer and a detector of outliers."""

from __future__ import annotations

from .autoencoder import OTAutoencoder
from .cluster import OTCluster
from .outliers import OTOutlierDetector

__all__ = ["OTAutoencoder", "OTCluster", "OTOutlierDetector"]
