// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module config.
#include "config/section.h"
#include "config/toml.h"
