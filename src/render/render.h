// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module render.
#include "render/picture.h"
#include "render/png.h"
