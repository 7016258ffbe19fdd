"""The generator of `data/sample`; see `script/make_sample_data.py`."""
