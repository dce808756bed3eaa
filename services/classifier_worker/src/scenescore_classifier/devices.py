"""Where networks compute, as command lines name it."""

import argparse

import torch


def device(name: str) -> str:
    """The name, where PyTorch finds such a device here: before hours of work need it.

    Raises argparse.ArgumentTypeError where there is none.
    """
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:  # PyTorch without CUDA asserts
        raise argparse.ArgumentTypeError(
            f"PyTorch finds no {name} on this machine: leave it out to compute on the CPU"
        ) from error
    return name
