// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module ledger.
#include "ledger/check.h"
#include "ledger/log.h"
#include "ledger/note.h"
#include "ledger/object_store.h"
#include "ledger/reader.h"
#include "ledger/receipt.h"
#include "ledger/sequencer.h"
#include "ledger/tile.h"
