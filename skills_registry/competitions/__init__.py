"""Competitions and showcases (职业技能竞赛、展能赛): events, entries, scores, results, and awards."""
