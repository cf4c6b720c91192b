// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module evidence.
#include "evidence/embed.h"
#include "evidence/evidence_file.h"
#include "evidence/ledger_entry.h"
#include "evidence/lookup.h"
#include "evidence/statement.h"
