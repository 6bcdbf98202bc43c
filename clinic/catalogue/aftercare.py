"""What everybody is told after any visit, and when a doctor or the emergency number is the right call.

The same for every clinic: safety text is not a setting. Not signed off by a clinician.
"""

from __future__ import annotations

from clinic.rules.language import N_

GENERAL = (
    N_("Get up slowly and sit for a minute."),
    N_("Drink as you like, and move gently on the same day."),
    N_("No heavy training for 24 hours after deep, sports, stretching or suction work."),
    N_("No alcohol that evening."),
)

RING_A_DOCTOR = (
    N_("A bruise that spreads, or a mark that blisters, weeps, smells or is still there after 14 days"),
    N_("Soreness for more than 3 days, or pain that gets worse"),
    N_("Fever or a rash"),
    N_("A numb or weak arm or leg"),
    N_("A new headache, or dizzy spells"),
    N_("One leg that is swollen or sore"),
)

CALL_EMERGENCY = (
    N_("Chest pain or hard breathing"),
    N_("A drooping face, slurred speech or a weak arm"),
    N_("The worst headache you have ever had"),
    N_("Numbness between the legs, or trouble with pee or poo"),
    N_("Fainting that does not pass"),
    N_("Heavy bleeding"),
    N_("Swelling of the lips or tongue"),
)

COMPLEMENTS = N_(
    "Massage complements medical care and never replaces it. Strong pain, or pain that stays, belongs to a doctor."
    " What you read here is information, not medical advice."
)
