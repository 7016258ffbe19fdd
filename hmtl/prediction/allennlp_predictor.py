"""The same as a predictor of AllenNLP: `allennlp.predictors.Predictor.by_name("hmtl").from_path(run)`."""

from os import PathLike
from typing import Any, Dict, List, Optional, Union

from allennlp.common.util import JsonDict
from allennlp.data import DatasetReader
from allennlp.predictors import Predictor as AllenNlpPredictor

from hmtl.prediction.predictor import Predictor
from hmtl.prediction.records import Record, parse_fields


@AllenNlpPredictor.register("hmtl")
class HmtlPredictor(AllenNlpPredictor):
    """
    Takes `{"text": ...}`, `{"tokens": [...]}` or `{"sentences": [[...], ...]}`, and answers with the fields
    of `Prediction.to_json`. AllenNLP's gradients and attacks, which need one reader and one loss, are not
    here.

    # Parameters

    predictor : `Predictor`
    """

    def __init__(self, predictor: Predictor) -> None:
        # No reader is used here: the tasks have their own.
        super().__init__(predictor.model, dataset_reader=DatasetReader())
        self.predictor = predictor

    @classmethod
    def from_path(  # type: ignore[override]
        cls,
        archive_path: "Union[str, PathLike[str]]",
        weights: Optional[str] = None,
        device: Optional[str] = None,
    ) -> "HmtlPredictor":
        """
        # Parameters

        archive_path : `str` or `PathLike`
            A run of train.py.
        weights, device : `str`, optional
            As in `Predictor.from_serialization_dir`.
        """
        return cls(Predictor.from_serialization_dir(archive_path, weights, device))

    def predict_json(self, inputs: JsonDict) -> JsonDict:
        """
        # Raises

        ValueError
            When the fields are none of those above.
        """
        return self.predict_batch_json([inputs])[0]

    def predict_batch_json(self, inputs: List[JsonDict]) -> List[Dict[str, Any]]:
        """As `predict_json`, for many at once."""
        records: List[Record] = [parse_fields(fields, own_name=None) for fields in inputs]
        return [prediction.to_json() for prediction in self.predictor.predict_records(records)]
