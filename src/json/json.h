// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module json.
#include "json/error.h"
#include "json/reader.h"
#include "json/writer.h"
