// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module codec: frames of Pixel Data, decoded one at a time.
#include "codec/child.h"
#include "codec/codestream.h"
#include "codec/frames.h"
#include "codec/geometry.h"
