"""The network member: embeddings of the categories beside scaled features, trained on relative error.

One network is trained on the rows of all segments, then tuned on each. Categories: Guo and Berkhahn (2016).
"""

import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from demand.config import Config, NetworkConfig, TrainingConfig
from demand.models.encoding import UNKNOWN, Codes, Floats
from demand.models.scale import HIGHEST, LOWEST

AVERAGE = 0.99  # share that the running average of the weights keeps at each step
PREDICTED_AT_ONCE = 65_536  # rows


@dataclass(frozen=True)
class NetworkRows:
    """Rows to train on; all arrays have n_rows rows. weight: relative; level, offset, units: in units."""

    values: Floats
    codes: Codes
    units: Floats
    level: Floats
    offset: Floats
    weight: Floats


class Dropout(nn.Module):
    """Dropout whose share is a multiple of 1/256: a random byte an element costs a tenth of a random float.

    Srivastava et al. (2014). At the default size PyTorch's own took a quarter of the training.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.dropped = min(round(256 * share), 255)  # of 256

    def forward(self, values: Tensor) -> Tensor:
        """Zeros for about the share of the elements, the others scaled up; all as they are after training."""
        if not self.training or self.dropped == 0:
            return values
        words = torch.empty(-(-values.numel() // 8), dtype=torch.int64).random_(-(2**63), None)
        drawn = words.view(torch.uint8)[: values.numel()].view_as(values)
        return values * torch.where(drawn < self.dropped, 0.0, 256 / (256 - self.dropped))


class Network(nn.Module):
    """Log ratio of each row: a perceptron on features and embeddings, plus a linear skip.

    losses: mean loss of each epoch it was trained for.
    """

    losses: tuple[float, ...] = ()

    def __init__(self, n_features: int, sizes: tuple[int, ...], config: NetworkConfig) -> None:
        """Give the output layers zero weights, so that training starts from the level itself."""
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(size, embedding_size(size)) for size in sizes)
        for embedding in self.embeddings:
            nn.init.normal_(embedding.weight, 0, 0.1)  # type: ignore[arg-type]
        width = n_features + sum(embedding_size(size) for size in sizes)
        layers: list[nn.Module] = []
        for before, after in zip((width, *config.hidden), config.hidden, strict=False):
            layers += [nn.Linear(before, after), nn.SiLU(), Dropout(config.dropout)]
        self.body = nn.Sequential(*layers)
        self.out = nn.Linear(config.hidden[-1], 1)
        self.skip = nn.Linear(width, 1)
        for layer in (self.out, self.skip):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, values: Tensor, codes: Tensor) -> Tensor:
        """Log ratios (n_rows,) of scaled features (n_rows, n_features) and codes (n_rows, n_categories)."""
        found = [embedding(codes[:, i]) for i, embedding in enumerate(self.embeddings)]
        inputs = torch.cat([values, *found], dim=1)  # (n_rows, width)
        ratio: Tensor = (self.out(self.body(inputs)) + self.skip(inputs))[:, 0]
        return ratio


def embedding_size(size: int) -> int:
    """Number of dimensions for a category of `size` codes: min(12, 1.6 n^0.35)."""
    return math.ceil(min(12.0, 1.6 * math.pow(size, 0.35)))


def relative_loss(ratio: Tensor, rows: tuple[Tensor, Tensor, Tensor], config: TrainingConfig) -> Tensor:
    """|p - y| / max(y, floor (S + k)), and zero_weight p / (S + k) where y = 0; shape (n_rows,)."""
    units, level, offset = rows
    scale = level + offset
    forecast = torch.exp(ratio.clamp(LOWEST, HIGHEST)) * scale - offset
    sold = torch.abs(forecast - units) / torch.maximum(units, config.floor * scale)
    return torch.where(units > 0, sold, config.zero_weight * torch.abs(forecast) / scale)


def absolute_loss(ratio: Tensor, rows: tuple[Tensor, Tensor, Tensor], config: TrainingConfig) -> Tensor:
    """|p - y| / (S + k): every series' units count by its own scale; shape (n_rows,)."""
    units, level, offset = rows
    scale = level + offset
    return torch.abs(torch.exp(ratio.clamp(LOWEST, HIGHEST)) * scale - offset - units) / scale


LOSSES = {"mape": relative_loss, "balanced": absolute_loss}


def train_network(rows: NetworkRows, sizes: tuple[int, ...], config: Config) -> Network:
    """A network trained from the start on the rows of all segments; equal inputs give equal weights."""
    torch.manual_seed(config.forecast.seed)
    network = Network(rows.values.shape[1], sizes, config.network)
    drawn = max(1, round(len(rows.values) * config.network.row_share))
    epochs = max(
        config.network.epochs, math.ceil(config.network.min_steps / math.ceil(drawn / config.network.batch))
    )
    return _run(network, rows, _Plan(epochs, drawn, config.network.learning_rate), config)


def tune_network(network: Network, rows: NetworkRows, config: Config) -> Network:
    """A copy of `network` trained a little more on the rows of one segment; the given one stays as it is."""
    if config.network.tune_epochs == 0 or len(rows.values) == 0:
        return network
    torch.manual_seed(config.forecast.seed)
    plan = _Plan(config.network.tune_epochs, len(rows.values), config.network.tune_learning_rate)
    return _run(copy.deepcopy(network), rows, plan, config)


@dataclass(frozen=True)
class _Plan:
    """How long to train: epochs, rows drawn for each, and the highest learning rate."""

    epochs: int
    drawn: int
    rate: float


def _run(network: Network, rows: NetworkRows, plan: _Plan, config: Config) -> Network:
    """The running average of the weights over the plan's steps."""
    columns = [torch.from_numpy(np.ascontiguousarray(getattr(rows, name))) for name in _COLUMNS]
    steps = math.ceil(plan.drawn / config.network.batch)
    optimizer = torch.optim.AdamW(
        network.parameters(), plan.rate, weight_decay=config.network.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.rate, total_steps=steps * plan.epochs + 1)
    weights = [parameter.detach() for parameter in network.parameters()]
    average: list[Tensor] = []
    random = np.random.default_rng(config.forecast.seed)
    network.train()
    losses = []
    for _ in range(plan.epochs):
        total = 0.0
        order = random.permutation(len(rows.values))[: plan.drawn]
        for batch in np.array_split(order, steps):
            drawn = torch.from_numpy(np.sort(batch))
            picked = [column.index_select(0, drawn) for column in columns]
            total += _leave_gradients(network, picked, config)
            nn.utils.clip_grad_norm_(network.parameters(), config.network.gradient_clip)
            optimizer.step()
            schedule.step()
            average = average or [weight.clone() for weight in weights]
            torch._foreach_lerp_(average, weights, 1 - AVERAGE)
        losses.append(total / steps)
    torch._foreach_copy_(weights, average)
    network.losses = tuple(losses)
    return network.eval()


_COLUMNS = ("values", "codes", "units", "level", "offset", "weight")


def _leave_gradients(network: Network, batch: list[Tensor], config: Config) -> float:
    """The weighted mean loss of one batch, whose gradients are left in the network's parameters."""
    values, codes, units, level, offset, weight = batch
    shown = torch.where(torch.rand(codes.shape) < config.network.category_dropout, UNKNOWN, codes)
    loss = LOSSES[config.forecast.objective]
    losses = loss(network(values, shown), (units, level, offset), config.training)
    network.zero_grad(set_to_none=True)
    mean = (weight * losses).mean()
    mean.backward()  # type: ignore[no-untyped-call]
    return float(mean.detach())


def predict_network(network: Network, values: Floats, codes: Codes) -> Floats:
    """Log ratios (n_rows,) of scaled features (n_rows, n_features) and codes (n_rows, n_categories)."""
    parts = [np.empty(0, np.float32)]
    with torch.no_grad():
        for start in range(0, len(values), PREDICTED_AT_ONCE):
            rows = slice(start, start + PREDICTED_AT_ONCE)
            parts.append(network(torch.from_numpy(values[rows]), torch.from_numpy(codes[rows])).numpy())
    return np.concatenate(parts)
