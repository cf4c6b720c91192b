// SPDX-License-Identifier: Apache-2.0
#include "commands.h"

int main(int argc, char** argv) { return fiducia::app::run_program(argc, argv); }
