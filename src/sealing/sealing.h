// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module sealing: what a home seals and verifies with.
#include "sealing/inputs.h"
#include "sealing/recorder.h"
#include "sealing/stored_evidence.h"
