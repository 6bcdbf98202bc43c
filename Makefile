# Everything a person does with a checkout. `make` alone lists it. Nothing here needs or takes root.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
WORKERS ?= 2
V := .venv
PY := $(V)/bin/python
UV := $(V)/bin/uv
LOCKS := requirements
WORDS := $(wildcard clinic/translations/*/LC_MESSAGES/*.po)
SPOKEN := $(WORDS:.po=.mo)

# uv and node trust their own list of certificate authorities unless told to use the machine's.
export UV_SYSTEM_CERTS := 1
export NODE_USE_SYSTEM_CA := 1
export NODE_EXTRA_CA_CERTS ?= $(wildcard /etc/ssl/certs/ca-certificates.crt)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Compiled once, for every start after it: the tests alone start the program hundreds of times.
unexport PYTHONDONTWRITEBYTECODE

define say_venv
Python cannot make virtual environments here: its `venv` module is incomplete.
On Debian and Ubuntu an administrator installs it with:  apt-get install python3-venv
endef
define say_python
Python 3.11 or newer is needed. If it has another name here, say so:  make run PYTHON=python3.12
endef
define say_download
A download failed: see the lines above. Nothing is broken: check the network (behind a proxy, HTTPS_PROXY)
and run the same command again; it goes on where it stopped.
endef
export say_venv say_python say_download

# Additive, so that `make run` after `make test` takes nothing away. pip is the second try: it also reads pip.conf.
install = echo "Installing the packages of $(LOCKS)/$(1).lock …"; \
  $(UV) pip install --quiet --python $(PY) --require-hashes -r $(LOCKS)/$(1).lock \
  || { echo "That did not work with uv: trying pip, which is slower."; \
       $(PY) -m pip install --quiet --require-hashes -r $(LOCKS)/$(1).lock; } \
  || { echo "$$say_download" >&2; exit 1; }

.PHONY: help run setup compiled test check mutation axe lighthouse grid bench soak sbom audit fuzz migration messages locks clean

help: ## list what can be done
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do \
	  printf '%-18s %s\n' "$$name" "$$what"; done

run: setup ## start the demo clinic (invented people, data in instance/demo)
	@$(PY) -m clinic demo

setup: $(V)/.runtime static/vendor/manifest.json build/common_passwords.bin $(SPOKEN) ## install what the program needs, without starting it

compiled: setup ## compile the program for services, which may not write beside it: they start twice as fast
	@$(PY) -m compileall -q clinic migrations config.py $(V)/lib

test: setup $(V)/.test $(V)/.e2e build/axe/axe.min.js ## run all tests, on SQLite, PostgreSQL and in Chromium
	@$(PY) -m pytest -n $(WORKERS)

check: setup $(V)/.test $(V)/.e2e $(V)/.dev ## style, types, direction of imports, templates, locks
	@failed=0; \
	$(PY) -m ruff check --quiet . || failed=1; \
	$(PY) -m ruff format --check --output-format concise . || failed=1; \
	$(PY) -m mypy --no-error-summary || failed=1; \
	$(V)/bin/lint-imports --no-logo || failed=1; \
	$(PY) -m djlint --lint --quiet templates || failed=1; \
	$(PY) scripts/check_locks.py || failed=1; \
	[ $$failed = 0 ] && echo "All checks passed." || { echo "Some checks failed: see above." >&2; exit 1; }

mutation: setup $(V)/.dev ## break every line of the rules and see that a test notices (long; docs/mutation.md)
	@rm -rf mutants
	@WORKERS=$(WORKERS) $(PY) -m scripts.mutation

lighthouse: setup $(V)/.e2e ## measure pages of clients and staff on Lighthouse's phone profile (needs Node; fetches Lighthouse)
	@$(PY) -m scripts.lighthouse

grid: setup $(V)/.e2e ## measure how soon the desk's day of 240 visits is shown, and how smoothly one is dragged
	@$(PY) -m scripts.desk_grid

bench: setup $(V)/.test ## measure free times and bookings over real HTTP on both databases; QUICK=1 for a first look
	@$(PY) -m benchmarks.bench $(if $(QUICK),--quick)

soak: setup $(V)/.test ## races, kills, restarts, a database that goes away, a full disk, workers killed while they mail, load, a model of the book (hours)
	@failed=0; \
	$(PY) -m benchmarks.soak || failed=1; \
	$(PY) -m benchmarks.contests || failed=1; \
	$(PY) -m benchmarks.mail_soak || failed=1; \
	$(PY) -m benchmarks.power_cut || failed=1; \
	$(PY) -m benchmarks.resealing || failed=1; \
	$(PY) -m benchmarks.hardships || failed=1; \
	$(PY) -m benchmarks.mixed || failed=1; \
	$(PY) -m benchmarks.endurance || failed=1; \
	CLINIC_MACHINE_RUNS=200 $(PY) -m pytest -q --timeout 0 tests/booking/test_calendar_machine.py || failed=1; \
	exit $$failed

sbom: $(V)/.venv ## list every package that is shipped, with its hashes, in build/sbom.json (CycloneDX)
	@$(PY) scripts/sbom.py

audit: $(V)/.venv ## ask the database of known holes about every package that is shipped (needs the network)
	@echo "Asked on $$(date -u +%Y-%m-%d), of the database as it is online now:"
	@$(UV) tool run --quiet --from 'pip-audit>=2.9,<3' pip-audit --strict --disable-pip --require-hashes \
	  -r $(LOCKS)/runtime.lock || { echo "NOT clean, or NOT asked: see the lines above." >&2; exit 1; }

fuzz: setup $(V)/.test ## ask the JSON API all that its document allows and much that it does not, on both databases (long)
	@$(PY) -m benchmarks.fuzz

axe: setup $(V)/.e2e build/axe/axe.min.js ## look at every page with axe-core, in three widths and both colours (long; only=/my for a part)
	@$(PY) -m scripts.axe $(if $(only),--only $(only))

migration: $(V)/.dev ## write the next migration from the models: make migration name=add_visit_note
	@test -n "$(name)" || { echo "Say what it does: make migration name=add_visit_note" >&2; exit 1; }
	@rm -rf build/migration
	@export CLINIC_DATA_DIR=build/migration CLINIC_DATABASE_URL=; \
	  flask='$(V)/bin/flask --app clinic.cli.making:make_app_to_migrate db'; \
	  $$flask upgrade && $$flask migrate -m "$(name)"
	@$(PY) -m ruff format --quiet migrations/versions

messages: setup ## collect the texts of the program into the translations, for translators
	@$(PY) -m scripts.messages update && $(PY) -m scripts.messages compile

locks: $(V)/.venv ## compute the locks anew from pyproject.toml and requirements/*.in
	@UV="$(UV)" sh scripts/lock.sh

clean: ## remove what set-up and tools have made; the data in instance/ stays
	rm -rf $(V) .venv-node node_modules static/vendor build dist $(SPOKEN) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf .import_linter_cache mutants htmlcov .coverage

$(V)/.venv: $(LOCKS)/uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$say_python" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$$say_venv" >&2; exit 1; }
	@echo "Making a virtual environment in $(V) …"
	@$(PYTHON) -m venv $(V) || { rm -rf $(V); echo "$$say_venv" >&2; exit 1; }
	@$(PY) -m pip install --quiet --require-hashes -r $(LOCKS)/uv.lock || { echo "$$say_download" >&2; exit 1; }
	@touch $@

$(V)/.runtime: $(V)/.venv $(LOCKS)/runtime.lock
	@$(call install,runtime)
	@touch $@

$(V)/.test: $(V)/.runtime $(LOCKS)/test.lock
	@$(call install,test)
	@touch $@

$(V)/.e2e: $(V)/.test $(LOCKS)/e2e.lock
	@$(call install,e2e)
	@touch $@

$(V)/.dev: $(V)/.e2e $(LOCKS)/dev.lock
	@$(call install,dev)
	@touch $@

static/vendor/manifest.json: package-lock.json scripts/vendor_assets.py scripts/password_list.py clinic/accounts/common_passwords.py scripts/icons.txt scripts/bootstrap.txt | $(V)/.venv
	@echo "Fetching the front-end files …"
	@UV="$(UV)" PYTHON="$(PY)" sh scripts/fetch_assets.sh || { echo "$$say_download" >&2; exit 1; }

$(SPOKEN) &: $(WORDS) | $(V)/.runtime
	@$(PY) -m scripts.messages compile
	@touch $(SPOKEN)

# Made together with the front-end files; fetched again when only one is missing.
build/axe/axe.min.js build/common_passwords.bin: static/vendor/manifest.json
	@test -e $@ || { rm -f $<; $(MAKE) --no-print-directory $<; }
	@touch $@
