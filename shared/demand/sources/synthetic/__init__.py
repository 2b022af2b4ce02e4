"""The seeded generator of synthetic raw data, in three sizes."""

from demand.sources.synthetic.generate import DEFAULT_SEED, Synthetic, generate, generate_region, write
from demand.sources.synthetic.reach import reach
from demand.sources.synthetic.sizes import SIZES, Size

__all__ = ["DEFAULT_SEED", "SIZES", "Size", "Synthetic", "generate", "generate_region", "reach", "write"]
