// Logarithm and exponential as Go computes them, to the bit (amd64): the C library's differ in the last one.
//
// Upstream: Go math (log_amd64.s, log10.go, exp.go), after FreeBSD's msun
// Threads:  functions.

#pragma once

namespace gauntlet {

double GoLog(double x);
double GoLog2(double x);
double GoExp2(double x);

}  // namespace gauntlet
