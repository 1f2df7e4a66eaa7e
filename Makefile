# Every target that needs Python packages makes the environment first, when it is missing
# or older than the requirements. Another Python: make PYTHON=python3.12 setup
PYTHON ?= python3
PY = .venv/bin/python
READY = .venv/ready
OTHERS = benchmarks/.venv/ready
# A file's tests share what is made once for them
FAST = -n 3 --dist loadfile --no-loadscope-reorder
# Some take minutes: who is done takes over what another has not begun
SLOW = -n 2 --dist worksteal
# What `make bench-gpu` runs in: it needs torch for CUDA, and keras
GPU_PYTHON ?= $(PYTHON)

.PHONY: setup demo toy mnist cifar10 celeba objectives extensions classifiers test test-slow \
        coverage mutation soak audit bench bench-quality bench-gpu lint format \
        tensorboard clean

setup: $(READY)

$(READY): requirements.txt requirements-comet.txt requirements-dev.txt
	$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit("Python 3.11 to 3.13 is needed, this is %d.%d: make PYTHON=python3.12 setup" % v)'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --upgrade pip
	$(PY) -m pip install --quiet -r requirements-dev.txt
	touch $(READY)

$(OTHERS): benchmarks/requirements.txt
	$(PYTHON) -m venv benchmarks/.venv
	benchmarks/.venv/bin/python -m pip install --quiet --upgrade pip
	benchmarks/.venv/bin/python -m pip install --quiet -r benchmarks/requirements.txt
	touch $(OTHERS)

demo: $(READY)  # handwritten digits in about 3 minutes
	$(PY) mnist_gan/train.py --preset quick

toy: $(READY)  # the smallest GANs, and why GANs are hard: minutes
	$(PY) toy_gan/train_1010.py
	$(PY) toy_gan/train_points.py
	$(PY) toy_gan/divergences.py
	$(PY) toy_gan/instability.py

mnist: $(READY)  # the tutorial's full training: hours on a CPU
	$(PY) mnist_gan/train.py

cifar10: $(READY)  # the tutorial's full training: hours on a CPU
	$(PY) cifar10_gan/train.py

celeba: $(READY)  # faces; elsewhere than in $GAN_DATA_DIR: make celeba DATA=~/celeba.zip
	$(PY) celeba_gan/train.py $(if $(DATA),--data $(DATA))

objectives: $(READY)  # every objective on the same narrow models: about an hour
	$(PY) mnist_gan/compare.py objectives

extensions: $(READY)  # each extension of the tutorials for equal steps: about an hour
	$(PY) mnist_gan/compare.py extensions

classifiers: $(READY)  # whose features the scores are of: once, about 10 minutes on 2 cores
	$(PY) common/scores/classifier.py

test: $(READY)  # three at a time: much of a test is work for one core, or waiting
	$(PY) -m pytest $(FAST)

test-slow: $(READY)  # trainings that must have learned something
	$(PY) -m pytest -m slow $(SLOW) --durations 40

coverage: $(READY)  # what share of the lines `make test` runs, in all its processes
	$(PY) -m coverage erase
	-$(PY) -m coverage run -m pytest $(FAST)  # where no file can be written, nor can its own
	$(PY) -m coverage combine --quiet
	$(PY) -m coverage report

mutation: $(READY)  # do the tests notice faults? 120 of them, half an hour; or: ALL=1, hours
	$(PY) tests/mutation.py $(if $(ALL),--all)

soak: $(READY)  # 5,000 steps and 200 rounds of pictures, models and scores: does it leak?
	$(PY) tests/soak.py

audit: $(READY)  # known vulnerabilities of the installed packages, if the network allows
	$(PY) tests/audit.py

bench: $(READY) $(OTHERS)  # under 20 quiet minutes; a try under 5: make bench QUICK=1
	$(PY) benchmarks/bench.py $(if $(QUICK),--quick)

bench-quality: $(READY) $(OTHERS)  # minutes to digits as good as the textbook's: an hour
	$(PY) benchmarks/quality.py $(if $(QUICK),--quick)

bench-gpu:  # on a machine with a GPU: make bench-gpu GPU_PYTHON=~/torch/bin/python
	KERAS_BACKEND=torch $(GPU_PYTHON) benchmarks/gpu.py

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(READY)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

tensorboard: $(READY)
	$(PY) -m tensorboard.main --logdir runs --samples_per_plugin images=1000

clean:  # the environment and caches; never your runs
	rm -rf .venv benchmarks/.venv .pytest_cache .ruff_cache .coverage*
	find . -name __pycache__ -prune -exec rm -rf {} +
