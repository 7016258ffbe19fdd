"""Dropout that does not wait for random numbers."""

import torch

RANDOM_BITS = 16
DRAWS_PER_WORD = 64 // RANDOM_BITS
LOWEST_WORD = -(2**63)


class FastDropout(torch.nn.Dropout):
    """
    `torch.nn.Dropout`, with another source of chance on the CPU: there, drawing a Bernoulli
    variable for each entry takes longer than the layers around it, and this draws 64 random bits
    for four entries.

    The probability is therefore a multiple of 2^-16, the nearest to the one asked for, and what is
    kept is scaled by exactly what was kept. Elsewhere than on the CPU this is `torch.nn.Dropout`.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Zeroes entries of a tensor of any shape, and scales the others, in training."""
        levels = 2**RANDOM_BITS
        dropped = round(self.p * levels)
        if not self.training or input.device.type != "cpu" or not 0 < dropped < levels:
            return super().forward(input)
        num_words = -(-input.numel() // DRAWS_PER_WORD)
        words = torch.empty(num_words, dtype=torch.int64).random_(LOWEST_WORD, None)
        # Uniform between -levels / 2, inclusive, and levels / 2.
        draws = words.view(torch.int16)[: input.numel()].view(input.shape)
        keep = draws >= dropped - levels // 2
        return input * keep.to(input.dtype).mul_(levels / (levels - dropped))
