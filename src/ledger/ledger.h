// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module ledger.
#include "ledger/check.h"
#include "ledger/compare.h"
#include "ledger/journal.h"
#include "ledger/log.h"
#include "ledger/object_store.h"
#include "ledger/reader.h"
#include "ledger/record_protocol.h"
#include "ledger/sequencer.h"
