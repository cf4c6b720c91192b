// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module home_ledger: a home's ledger where its ledger.toml says, and who appends to
// it.
#include "home_ledger/home_recorder.h"
#include "home_ledger/ledger_home.h"
