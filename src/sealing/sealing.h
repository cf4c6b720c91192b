// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module sealing: the service that seals objects from any source, and what a home
// seals and verifies with.
#include "sealing/inputs.h"
#include "sealing/object.h"
#include "sealing/placement.h"
#include "sealing/recorder.h"
#include "sealing/service.h"
#include "sealing/stored_evidence.h"
