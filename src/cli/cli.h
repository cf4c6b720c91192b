// SPDX-License-Identifier: Apache-2.0
#pragma once
// The front of module cli: the command line of all programs as plain values, what they print, what
// they end with, how they stop, and how one becomes the other.
#include "cli/exit_code.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/sibling.h"
#include "cli/stop_on_signal.h"
