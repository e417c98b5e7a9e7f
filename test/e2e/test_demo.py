#!/usr/bin/env python3
"""The demo's own check: two replicas, one killed and started again."""
import sys

import demo

sys.argv[1:] = ["--check"]
sys.exit(demo.main())
