// Elementary functions as Go computes them, to the bit (amd64): the C library's differ in the last one.
//
// Upstream: Go math (log_amd64.s, exp_amd64.s, log10.go, exp.go, sin.go, ...), after FreeBSD's msun, Cephes and SLEEF
// Threads:  functions.

#pragma once

namespace gauntlet {

double GoLog(double x);
double GoLog2(double x);
double GoExp2(double x);

double GoLog10(double x);
double GoLog1p(double x);
double GoExp(double x);  // 0 where the result would be subnormal
double GoPow(double x, double y);

double GoSin(double x);
double GoCos(double x);
double GoTan(double x);
double GoAsin(double x);
double GoAcos(double x);
double GoAtan(double x);
double GoAtan2(double y, double x);

double GoSinh(double x);
double GoCosh(double x);
double GoTanh(double x);
double GoAsinh(double x);
double GoAcosh(double x);
double GoAtanh(double x);

}  // namespace gauntlet
