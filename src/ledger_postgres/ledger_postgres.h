// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module ledger_postgres.
#include "ledger_postgres/postgres_sequencer.h"
