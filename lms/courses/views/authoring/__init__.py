"""Pages for those who write and teach courses, all below /teach/."""
