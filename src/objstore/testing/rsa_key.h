// For tests: an RSA key that signs, and is worth nothing. Made by: openssl genrsa 1024.

#pragma once

namespace gauntlet::objstore {

inline constexpr char kTestRsaKey[] = R"(-----BEGIN PRIVATE KEY-----
MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBAKTWtoqzOpBLOXUM
ZFAh8ZzpyvihzF3AAb6r0tfMNhwZw8y3XK3sg8j4w1nXxD5nXz3w57uDB8RlURnL
1kKzXc8DjIniX6Z8mHgu6QslGZvgnu0HQTjaKDq/RWkQHb3XWhn88Rw416AA2FXz
LqW4D65xU50Af1JqDzJCtII969BDAgMBAAECgYEAnnw+R/7oyME6vhoq/IyWRDrY
xtKxrlWkl9GWR5t1TvFKuzJ07lgfoQPktyXn7ePvw5szAquJtT+AiV/dYoYYIx11
bkl6728acftFYBPaagxDKVGEJY8j2MDrMHzdy/JyezHt83y5UhYv2liEN0vOYXz0
rWwdVcQt2gie38GPjJkCQQDSGICe6HpnfUGjl2U+Gk5BwDqns8k/KoiF2LUGgSqL
0nZ1oG/OuUBeuN29QoNPUpq/9+s2GhmMM7W2J/gf/Sb/AkEAyNrOKJXSekUkALlJ
yTLmpH3wch0K9w9k4+Qedj/QjocG2YmBjbFyczXRGD3STJGNF2kZotyHwXKoYWYG
4Q/6vQJAQe7MlpIQr9+gNM2zSR0KSBoijjSeyIL5mz+Z9/ObPYwL/vgdfnumltNf
SyDPgppC1FHib/Ua5WPo98RtWuSgUwJAEea2cxWPUchxwgLBmcYImmaDFJiUDpr3
ofwF3wInA1zzdlX0Dv3etnf4b9GquZpLWefLGiHPk6U1bqDaQhrbfQJBAMPr8lLZ
rOOsU9ymbckVUB7MHr3RHc88Tc8S7XeMzaDxTTbkuRhRn9AVx+zhIweqQ8YuW8rA
xge7p+kPVamk+t0=
-----END PRIVATE KEY-----
)";

}  // namespace gauntlet::objstore
