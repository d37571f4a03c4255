"""stub"""


def write_page(study):
    pass
