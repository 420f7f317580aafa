# `make` or `make help` explains itself: the text after ## is what it prints.

# Settings, for example: make build SCALE=0.1 END_DATE=2025-12-31
# Defaults and limits of SCALE, END_DATE and SEED are in retail_platform/settings.py.
TARGET   ?= local
PYTHON   ?= python3
VENV     ?= .venv
TO       ?= copia
BACKUP   ?= respaldo
EXAMPLE  ?= dagster
Q        ?= --list

# A name that nothing reads would be passed over in silence: make build scale=0.01 is full scale.
# RETAIL_ and DBT_: variables of the programs, which make hands on.
SETTINGS := SCALE END_DATE SEED TARGET TO BACKUP EXAMPLE Q PYTHON VENV
UNKNOWN  := $(filter-out $(SETTINGS) RETAIL_% DBT_%,$(foreach name,$(.VARIABLES),\
	$(if $(filter command,$(firstword $(origin $(name)))),$(name))))
ifneq ($(strip $(UNKNOWN)),)
$(error unknown setting: $(strip $(UNKNOWN)). Allowed: $(SETTINGS))
endif

# Only what was given is passed on.
given = $(if $(filter undefined,$(origin $(1))),,$(2) '$($(1))')
GIVEN := $(strip $(call given,SCALE,--scale) $(call given,END_DATE,--end-date) $(call given,SEED,--seed))

PY       := $(VENV)/bin/python
DBT      := $(VENV)/bin/dbt
INSTALLED := $(VENV)/.installed
# checkov pins old packages: an environment of its own.
INFRA_VENV := .venv-infra
# So does an example of orchestration.
EXAMPLE_VENV := examples/$(EXAMPLE)/.venv
# So do the emulators of warehouses, and each other ones: .venv-fakesnow, .venv-bqemulator.
EMULATORS := fakesnow bqemulator
EMULATOR_VENVS := $(EMULATORS:%=.venv-%/.installed)
# The lock is complete, so nothing is resolved: --no-deps. -qq: errors only.
PIP_INSTALL := -m pip install -qq --disable-pip-version-check --no-deps
PIP      := $(PY) $(PIP_INSTALL)
# Into another environment than VENV, after its Python.
LOCKED_INSTALL := $(PIP_INSTALL) --require-hashes --requirement
# After the folder of VENV. CUSTOM_COMPILE_COMMAND is what the lock says that it was made with.
PIP_COMPILE := bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host
# Extras of pyproject.toml that only those install who use them; dev is in requirements.lock.
EXTRAS   := dashboard export metrics

# dbt looks for profiles.yml in the working directory; this makes it independent of the shell's.
export DBT_PROFILES_DIR := $(CURDIR)
# dbt's sessions take it from here, ours set it themselves: no default of a role or database counts.
export PGCLIENTENCODING := UTF8

# Called from another make (the tests do), `make db-url` still prints a URL and nothing else.
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.SILENT:
# The commands of a build depend on each other in their order, also under make -j.
.NOTPARALLEL:
.PHONY: help build test test-full lint format generate load dbt-build answers docs \
	export lake install options target db-start db-stop db-status db-url psql lock clean clean-db roles rds-bundle \
	lint-infra lock-infra rds-full

help: ## Show this help
	printf 'Retail analytics on PostgreSQL. Usage: make COMMAND [SETTING=value ...]\n\n'
	sed -nE 's/^([a-z-]+):.*## (.*)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s %s\n", $$1, $$2}'
	printf '\nSettings: %s  TARGET=%s (local, ci, rds)  TO=%s  BACKUP=%s  EXAMPLE=%s (dagster, airflow)  Q=%s\n' \
		"$$($(PYTHON) scripts/check_options.py --show $(GIVEN))" '$(TARGET)' '$(TO)' '$(BACKUP)' '$(EXAMPLE)' '$(Q)'

# A world that does not fit the loaded one is refused before data/ is touched.
build: FITS := --fits '$(TARGET)'
build: options install target generate load dbt-build answers ## Everything: install, start PostgreSQL, generate, load, dbt build, answer

test: install $(EXTRAS:%=$(VENV)/.installed-%) $(EMULATOR_VENVS) ## Run the fast tests (small scale; their own server on a free port)
	$(PY) -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

test-full: install $(EXTRAS:%=$(VENV)/.installed-%) $(EMULATOR_VENVS) ## Run the full-scale and slow tests
	$(PY) -m pytest -m full

lint: install $(EXTRAS:%=$(VENV)/.installed-%) profiles.yml ## Check style and types: ruff, mypy, sqlfluff, yamllint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/yamllint --strict . profiles.yml.example
	# sqlfluff does not read macros: their lines are counted here.
	if grep -rnE '.{121,}' --include='*.sql' macros packages; then echo 'longer than 120 columns'; exit 1; fi
	$(MAKE) lint-dbt
	$(PY) scripts/db.py start >/dev/null
	$(VENV)/bin/sqlfluff lint --processes 1 --disable-progress-bar models analyses tests snapshots
	$(VENV)/bin/sqlfluff lint --templater jinja --disable-progress-bar retail_platform/reporting/sql \
		dashboard/queries

lint-infra: $(INFRA_VENV)/.installed ## Check infra/ and .github/: terraform fmt, checkov, schema and security of workflows
	if command -v terraform >/dev/null; then terraform fmt -check -diff infra/terraform; \
		else echo 'left out: terraform fmt (terraform is not installed)'; fi
	$(INFRA_VENV)/bin/checkov --directory infra/terraform --framework terraform --quiet --compact --skip-download
	$(INFRA_VENV)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(INFRA_VENV)/bin/zizmor --offline --no-progress --quiet .github/workflows

lint-dbt: install profiles.yml ## Check the conventions of the dbt project (dbt-bouncer.yml)
	$(DBT) parse --quiet
	$(VENV)/bin/dbt-bouncer run --config-file dbt-bouncer.yml

format: install ## Rewrite Python and SQL in the house style
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	$(PY) scripts/db.py start >/dev/null
	$(VENV)/bin/sqlfluff fix --disable-progress-bar models analyses tests snapshots
	$(VENV)/bin/sqlfluff fix --templater jinja --disable-progress-bar retail_platform/reporting/sql \
		dashboard/queries

generate: options install ## Simulate the data into data/; kept if it is the same, continued if only END_DATE is later
	$(PY) scripts/generate.py $(GIVEN) --output data --keep $(FITS)

load: install target ## Load data/ into schema staging (files already loaded are skipped)
	$(PY) scripts/db.py check --target $(TARGET) --data data
	$(PY) scripts/load.py --target $(TARGET) data

dbt-build: install target ## Build and test the dbt project
	echo 'dbt reads the project (up to half a minute the first time), then builds and tests ...'
	test -t 1 || export DBT_USE_COLORS=false; $(DBT) build --target $(TARGET)

check: install target ## Compare every published row with what a build would make of the deliveries
	$(PY) -m retail_platform check --target $(TARGET)

answers: target ## Print the answers to the four business questions, with times
	$(PY) scripts/answers.py --target $(TARGET)

.PHONY: dashboard screenshots report bench-dashboard
dashboard: target $(VENV)/.installed-dashboard ## Serve the dashboard on http://127.0.0.1:8501
	$(PY) -m dashboard.server --target $(TARGET)

screenshots: target $(VENV)/.installed-dashboard ## Photograph the pages of the dashboard: docs/img/dashboard-*.png
	$(PY) -m dashboard.pictures --target $(TARGET)

bench-dashboard: target $(VENV)/.installed-dashboard ## Measure the dashboard: questions, clicks, twenty visitors, memory
	$(PY) -m dashboard.bench --target $(TARGET)

report: target $(VENV)/.installed-dashboard ## Write the dashboard's first page into one file for mail: target/resumen.html
	$(PY) scripts/report.py --target $(TARGET) target/resumen.html

.PHONY: export lake
export: target $(VENV)/.installed-export ## Copy what is published into Parquet files under TO (a folder, s3://...): what changed
	$(PY) scripts/export.py --target $(TARGET) --to '$(TO)'

lake: install $(VENV)/.installed-export ## Ask the copy under TO with DuckDB
	$(PY) scripts/lake.py --of '$(TO)'

.PHONY: test-example lock-example
test-example: install $(VENV)/.installed-export $(EXAMPLE_VENV)/.installed profiles.yml ## Install the orchestration EXAMPLE and run it without its web pages (5 minutes)
	$(PY) examples/headless.py $(EXAMPLE)

lock-example: install ## Resolve the packages of EXAMPLE again
	cd examples/$(EXAMPLE) && CUSTOM_COMPILE_COMMAND='make lock-example EXAMPLE=$(EXAMPLE)' \
		$(abspath $(VENV))/$(PIP_COMPILE) --output-file requirements.lock requirements.in

.PHONY: backup restore
backup: target ## Back up what no build can make again, as a new folder under BACKUP
	$(PY) scripts/backup.py --target $(TARGET) --to '$(BACKUP)'

restore: target ## Bring the newest backup under BACKUP into an empty TARGET; then make dbt-build
	$(PY) scripts/restore.py --target $(TARGET) --from '$(BACKUP)'

.PHONY: metrics
metrics: target $(VENV)/.installed-metrics ## List the metrics, or ask: make metrics Q='--metrics ventas_netas --group-by metric_time__month'
	$(DBT) parse --quiet --target '$(TARGET)'
	$(PY) scripts/metrics.py --target '$(TARGET)' $(Q)

.PHONY: check docs-static erd bench bench-scale bench-daily lint-dbt
docs: docs-static ## Generate the data dictionary and serve it on http://localhost:8080
	$(DBT) docs serve --target $(TARGET) --port 8080

docs-static: install target ## Write the data dictionary of a built database into one file
	$(DBT) docs generate --static --target $(TARGET)
	$(PY) scripts/docs.py repair

erd: install ## Draw the entity-relationship diagram again: docs/erd.md, docs/img/erd-*.svg
	$(DBT) parse --quiet
	$(PY) scripts/docs.py erd

bench: build ## Measure questions, indexes, views and concurrency on the built database (30 minutes)
	$(PY) scripts/bench.py queries --target $(TARGET)

.PHONY: bench-copy
bench-copy: build $(VENV)/.installed-export ## Measure an export, and the analyses in DuckDB against PostgreSQL (10 minutes)
	$(PY) scripts/bench.py copy --target $(TARGET)

bench-scale: install profiles.yml ## Measure each stage and the daily cost at 1, 4 and 13 million lines (30 minutes)
	$(PY) scripts/db.py start >/dev/null
	$(PY) scripts/bench.py scale

bench-daily: install profiles.yml ## Measure one more day and one late file on 13 and on 52 million lines (20 minutes)
	$(PY) scripts/db.py start >/dev/null
	$(PY) scripts/bench.py daily

db-start: install ## Start the embedded PostgreSQL
	$(PY) scripts/db.py start

db-stop: install ## Stop the embedded PostgreSQL
	$(PY) scripts/db.py stop

db-status: install ## Say whether the embedded PostgreSQL runs
	$(PY) scripts/db.py status

db-url: install ## Print the libpq URL of TARGET and nothing else
	$(PY) scripts/db.py url --target $(TARGET)

psql: target ## Open psql on TARGET; :tablas lists what is there
	$(PY) scripts/db.py psql --target $(TARGET)

rds-full: install ## The whole job at full scale on a stand-in for a db.t3.micro (30 minutes or more, 15 GB of disk)
	$(PY) -m pytest -m full -s python_tests/test_rds_full.py

.PHONY: emulators lock-emulators
emulators: $(EMULATOR_VENVS) ## Install the emulators of Snowflake and BigQuery for the tests, each in an environment of its own

lock-emulators: install ## Resolve the emulators again
	for name in $(EMULATORS); do CUSTOM_COMPILE_COMMAND='make lock-emulators' $(VENV)/$(PIP_COMPILE) \
		--output-file python_tests/emulators/requirements-$$name.lock \
		python_tests/emulators/requirements-$$name.in || exit; done

lock-infra: install ## Resolve the tools of lint-infra again
	CUSTOM_COMPILE_COMMAND='make lock-infra' $(VENV)/$(PIP_COMPILE) \
		--output-file infra/requirements-infra.lock infra/requirements-infra.in

roles: install profiles.yml ## Create the database roles on TARGET, as its administrator (docs/rds.md)
	$(PY) scripts/bootstrap_roles.py --target $(TARGET)

rds-bundle: ## Get the certificates of AWS's authorities, for TARGET=rds
	curl --fail --silent --show-error --location --output global-bundle.pem \
		https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem

.PHONY: citus-up citus-down test-citus bench-citus
citus-up: install ## Start a Citus cluster, coordinator + 2 workers, of the PostgreSQL in RETAIL_CITUS_BIN (docs/citus.md)
	$(PY) -m retail_platform citus up

citus-down: install ## Stop it; its data stay
	$(PY) -m retail_platform citus down

test-citus: install ## Run the tests that need a Citus cluster, on clusters of their own (15 minutes)
	$(PY) -m retail_platform citus check
	$(PY) -m pytest -m citus

bench-citus: install ## Compare one PostgreSQL with coordinator + 2 workers on this machine: load, build, day, questions (20 minutes)
	$(PY) -m retail_platform citus check
	$(PY) scripts/bench.py cluster

lock: install ## Resolve the dependencies again: requirements.lock, and one file for each optional extra
	CUSTOM_COMPILE_COMMAND='make lock' $(VENV)/$(PIP_COMPILE) --extra dev \
		--constraint constraints.txt --output-file requirements.lock pyproject.toml
	for extra in $(EXTRAS); do CUSTOM_COMPILE_COMMAND='make lock' $(VENV)/$(PIP_COMPILE) \
		--extra $$extra --constraint requirements.lock --output-file requirements-$$extra.lock pyproject.toml || exit; done

clean-db: install ## Stop the embedded PostgreSQL and delete its data
	$(PY) scripts/db.py stop
	$(PY) scripts/db.py remove

clean: ## Delete everything that commands made here: environment, database, data, dbt output
	if [ -x $(PY) ]; then $(PY) scripts/db.py stop && $(PY) scripts/db.py remove; fi
	if [ -d .citus ]; then $(PY) -m retail_platform citus down && $(PY) -m retail_platform citus remove; fi
	rm -rf $(VENV) $(INFRA_VENV) $(EMULATORS:%=.venv-%) examples/*/.venv data target logs dbt_packages *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

# --- not for people -------------------------------------------------------------------------------

# Before anything is installed or started, with the standard library only.
options:
	$(PYTHON) scripts/check_options.py $(GIVEN)

install: $(INSTALLED)

# The stamp is newer than what it depends on: a second run installs nothing.
$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) scripts/check_options.py
	test -x $(PY) || $(PYTHON) -m venv $(VENV)
	echo 'Installing the locked packages into $(VENV) (a minute or two) ...'
	$(PY) scripts/install.py requirements.lock
	$(PIP) --no-build-isolation --editable .
	$(PY) -m pip check >/dev/null
	touch $@

# An optional extra: its lock agrees with requirements.lock, so nothing else changes.
$(VENV)/.installed-%: requirements-%.lock $(INSTALLED)
	echo 'Installing the locked packages of [$*] into $(VENV) ...'
	$(PY) scripts/install.py $<
	$(PY) -m pip check >/dev/null
	touch $@

$(INFRA_VENV)/.installed: infra/requirements-infra.lock
	test -x $(INFRA_VENV)/bin/python || $(PYTHON) -m venv $(INFRA_VENV)
	$(INFRA_VENV)/bin/python $(LOCKED_INSTALL) $<
	touch $@

$(EXAMPLE_VENV)/.installed: examples/$(EXAMPLE)/requirements.lock
	test -x $(EXAMPLE_VENV)/bin/python || $(PYTHON) -m venv $(EXAMPLE_VENV)
	echo 'Installing the locked packages of $(EXAMPLE) into $(EXAMPLE_VENV) (some minutes) ...'
	$(EXAMPLE_VENV)/bin/python $(LOCKED_INSTALL) $<
	touch $@

$(EMULATOR_VENVS): .venv-%/.installed: python_tests/emulators/requirements-%.lock
	test -x .venv-$*/bin/python || $(PYTHON) -m venv .venv-$*
	echo 'Installing the emulator $* into .venv-$* ...'
	.venv-$*/bin/python $(LOCKED_INSTALL) $<
	touch $@

# A profiles.yml that somebody wrote is never touched.
profiles.yml:
	cp profiles.yml.example $@

target: install profiles.yml
	if [ '$(TARGET)' = local ]; then $(PY) scripts/db.py start; fi
	$(PY) scripts/db.py check --target '$(TARGET)'
