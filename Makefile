# The daily commands. Each needs Rust (rustup), a C compiler, and nothing else: what a step wants
# beyond that it finds on the machine or installs, and says so.

.PHONY: demo test chaos bench lint fmt compiler deb release

demo: compiler ## real database, emulated SmartSuite, the whole story in half a minute
	cargo x demo

test: compiler ## everything that must hold before a change lands; ends with what ran on which server
	cargo x test

lint: compiler ## formatting, repository rules, clippy, documentation
	cargo x lint

chaos: compiler ## the real program killed at random moments, and all that can go wrong with the binlog; 20 minutes
	cargo x chaos

deb: compiler ## the package for Debian and Ubuntu, in target/package
	cargo x deb

release: compiler ## package, archive and checksums of a release, in target/package
	cargo x release

bench: compiler ## what the program costs, beside a yardstick; CHECK=1 compares with the committed figures, LARGE=1 takes ten million rows
	cargo x bench $(if $(CHECK),--check) $(if $(LARGE),--large)

fmt: ## lay the code out
	cargo fmt --all

compiler:
	@command -v cc >/dev/null || { echo 'installing a C compiler'; $$([ "$$(id -u)" = 0 ] || echo sudo) sh -c 'apt-get -q update; apt-get -q install -y --no-install-recommends gcc libc6-dev'; }
