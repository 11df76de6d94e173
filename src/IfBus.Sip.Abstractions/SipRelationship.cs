namespace IfBus.Sip;

/// <summary>
/// How the two who are to talk stand to each other (the five relationships, wu lun). It orders calls that wait because a
/// server's limits hold them back, and nothing else: the server is told nothing of it.
/// </summary>
public enum SipRelationship
{
    /// <summary>None that matters: weight 0.50.</summary>
    None,
    /// <summary>Friends: weight 0.70.</summary>
    Friend,
    /// <summary>Elder and younger: weight 0.75.</summary>
    Sibling,
    /// <summary>Husband and wife: weight 0.80.</summary>
    Spouse,
    /// <summary>Parent and child: weight 0.85.</summary>
    ParentChild,
    /// <summary>Who leads and who serves: weight 0.95.</summary>
    RulerSubject,
}

/// <summary>The weights of relationships.</summary>
public static class SipRelationshipWeights
{
    /// <summary>From 0 to 1; a waiting call of a higher weight leaves first, calls of one weight leave in order.</summary>
    public static double Weight(this SipRelationship relationship) => relationship switch
    {
        SipRelationship.RulerSubject => 0.95,
        SipRelationship.ParentChild => 0.85,
        SipRelationship.Spouse => 0.80,
        SipRelationship.Sibling => 0.75,
        SipRelationship.Friend => 0.70,
        _ => 0.50,
    };
}
