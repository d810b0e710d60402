"""Forecasts windows with fracast, and measures its CPU time: `python fracast_forecasts.py IN.npz OUT.npz`.

IN holds `windows` (count, readings), `batch` (512, readings), `horizon` and `rounds`; OUT gets `forecast`
(count, horizon, 9 quantiles) and `us`, the least CPU time of a window in a call with the batch.
"""

import sys
import time

import numpy as np
import torch
from fracast import FracastModel

torch.set_num_threads(1)
given = np.load(sys.argv[1])
horizon = int(given["horizon"])
model = FracastModel.from_pretrained(weights="fp32")
windows = given["windows"]
parts = [model.forecast_batch(windows[at : at + 64], horizon=horizon) for at in range(0, len(windows), 64)]
times = []
for _ in range(int(given["rounds"])):
    started_s = time.process_time()
    model.forecast_batch(given["batch"], horizon=horizon)
    times.append(time.process_time() - started_s)
np.savez(sys.argv[2], forecast=np.concatenate(parts), us=min(times) / len(given["batch"]) * 1e6)
