//! What to do about it: every choice made (ports, directories, argv, order), nothing left for execution. Pure.
