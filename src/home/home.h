// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module home: the folder with a hospital's keys, trust file, ledger and evidence
// store; whether its parts fit each other; how machines come to share one store; what a killed run
// left.
#include "home/folder.h"
#include "home/home_file.h"
#include "home/leftovers.h"
#include "home/parts.h"
#include "home/passphrase.h"
#include "home/shared_store.h"
