# HMTL on an NVIDIA GPU, whose wheel of torch brings CUDA along (the host needs NVIDIA's driver and container
# toolkit), or on a CPU:
#
#     docker build -t hmtl .
#     docker build -t hmtl:cpu --build-arg TORCH=cpu .
#     docker run --rm --gpus all --user "$(id -u)" -v "$PWD/runs:/hmtl/runs" hmtl train -c configs/hmtl_sample.json -s runs/sample
#
# docs/experiments.md says more. Another index for another build of torch: --build-arg PIP_EXTRA_INDEX_URL=...
FROM python:3.12-slim-bookworm

# A compiler for what has no wheel; git, so that runs can record their commit.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential git \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory /hmtl

WORKDIR /hmtl

# The packages first: they change seldom, and this layer is the large one.
ARG TORCH=""
ARG PIP_EXTRA_INDEX_URL=""
COPY requirements.txt requirements-dev.txt ./
COPY script/machine_setup.sh script/
RUN bash script/machine_setup.sh && rm -rf /root/.cache

# Then the project, with its bytecode: who runs it may be a user that cannot write here.
COPY . .
RUN bash script/machine_setup.sh && .venv/bin/python -m compileall -q hmtl

# Places that any user of the container may write to, also one without a name or a home.
ENV PATH="/hmtl/.venv/bin:$PATH" \
    HOME=/tmp \
    HMTL_CACHE_DIR=/tmp/hmtl-cache \
    MPLCONFIGDIR=/tmp/matplotlib \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

ENTRYPOINT ["hmtl"]
CMD ["--help"]
