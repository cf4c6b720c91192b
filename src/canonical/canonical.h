// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module canonical.
#include "canonical/header.h"
#include "canonical/nested_pixels.h"
#include "canonical/object_decoder.h"
#include "canonical/own_block.h"
#include "canonical/pixel_source.h"
#include "canonical/pixels.h"
#include "canonical/reading.h"
#include "canonical/salts.h"
#include "canonical/samples.h"
#include "canonical/sketch.h"
#include "canonical/untyped_text.h"
#include "canonical/value.h"
#include "canonical/vr_change.h"
