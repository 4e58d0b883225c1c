"""How good optimizers are: many problems from many starts, on fair budgets, and what that tells.

The unit of work is a job, one optimizer on one problem, whose results are kept by the hash of all
that they depend on. An instance is a problem from one of its starts. The cost of a run is counted
in evaluations: each point at which a method evaluates the objective, its gradient or both is one, a
Hessian is as many as it has columns, and the gradient of all samples as many as it has batches.
"""
