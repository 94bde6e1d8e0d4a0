"""MIL models: from padded bags to logits. ``base`` has the contract, ``factory`` makes a model from its name.

The names are strings, so that listing them imports no torch.
"""

from collections.abc import Mapping

MODELS: Mapping[str, str] = {
    "abmil": "hiptbench.heads.models.pooled:ABMIL",
    "attention_softmax": "hiptbench.heads.models.pooled:AttentionSoftmax",
    "clam_sb": "hiptbench.heads.models.clam:ClamSB",
    "dsmil": "hiptbench.heads.models.dsmil:DSMIL",
    "hipt_gp": "hiptbench.heads.models.hipt:HiptGP",
    "hipt_lgp": "hiptbench.heads.models.hipt:HiptLGP",
    "hipt_n": "hiptbench.heads.models.hipt:HiptN",
    "max": "hiptbench.heads.models.pooled:Max",
    "mean": "hiptbench.heads.models.pooled:Mean",
    "mil": "hiptbench.heads.models.instance:BestInstance",
    "noisy_and": "hiptbench.heads.models.instance:NoisyAnd",
    "transmil": "hiptbench.heads.models.transmil:TransMIL",
}
