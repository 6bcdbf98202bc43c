"""What everybody is told after any visit, and when a doctor or the emergency number is the right call.

The same for every clinic: safety text is not a setting. Not signed off by a clinician.
"""

from __future__ import annotations

GENERAL = (
    "Get up slowly and sit for a minute.",
    "Drink as you like, and move gently on the same day.",
    "No heavy training for 24 hours after deep, sports, stretching or suction work.",
    "No alcohol that evening.",
)

RING_A_DOCTOR = (
    "A bruise that spreads, or a mark that blisters, weeps, smells or is still there after 14 days",
    "Soreness for more than 3 days, or pain that gets worse",
    "Fever or a rash",
    "A numb or weak arm or leg",
    "A new headache, or dizzy spells",
    "One leg that is swollen or sore",
)

CALL_EMERGENCY = (
    "Chest pain or hard breathing",
    "A drooping face, slurred speech or a weak arm",
    "The worst headache you have ever had",
    "Numbness between the legs, or trouble with pee or poo",
    "Fainting that does not pass",
    "Heavy bleeding",
    "Swelling of the lips or tongue",
)

COMPLEMENTS = (
    "Massage complements medical care and never replaces it. Strong pain, or pain that stays, belongs to a doctor."
    " What you read here is information, not medical advice."
)
