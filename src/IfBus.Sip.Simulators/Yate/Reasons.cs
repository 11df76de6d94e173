namespace IfBus.Sip.Simulators.Yate;

/// <summary>The engine's words for why, and the SIP status that goes with each (RFC 3261, 21).</summary>
internal static class Reasons
{
    private static readonly (string Word, int Status)[] Words =
    [
        ("incomplete", 484), ("noroute", 404), ("noroute", 604), ("noconn", 503), ("noconn", 408), ("noauth", 401), ("nomedia", 415), ("nocall", 481),
        ("busy", 486), ("busy", 600), ("noanswer", 480), ("noanswer", 487), ("rejected", 406), ("rejected", 606), ("forbidden", 403), ("forbidden", 603),
        ("offline", 404), ("congestion", 480), ("unallocated", 410), ("failure", 500), ("pending", 491), ("looping", 483), ("timeout", 408), ("timeout", 504),
        ("postdialdelay", 504), ("unimplemented", 501), ("unacceptable", 488), ("noresource", 503), ("interworking", 500), ("invalid-message", 400),
    ];

    private static readonly Dictionary<int, string> Phrases = new()
    {
        [183] = "Session Progress",
        [200] = "OK",
        [400] = "Bad Request",
        [401] = "Unauthorized",
        [403] = "Forbidden",
        [404] = "Not Found",
        [408] = "Request Timeout",
        [406] = "Not Acceptable",
        [410] = "Gone",
        [415] = "Unsupported Media Type",
        [480] = "Temporarily Unavailable",
        [481] = "Call/Transaction Does Not Exist",
        [483] = "Too Many Hops",
        [484] = "Address Incomplete",
        [486] = "Busy Here",
        [487] = "Request Terminated",
        [488] = "Not Acceptable Here",
        [491] = "Request Pending",
        [500] = "Server Internal Error",
        [501] = "Not Implemented",
        [503] = "Service Unavailable",
        [504] = "Server Time-out",
        [600] = "Busy Everywhere",
        [603] = "Decline",
        [604] = "Does Not Exist Anywhere",
        [606] = "Not Acceptable",
    };

    /// <summary>The status of a word, or 0.</summary>
    public static int Status(string? word) => Words.FirstOrDefault(w => w.Word == word).Status;

    /// <summary>The word of a status, or null.</summary>
    public static string? Word(int status) => Words.FirstOrDefault(w => w.Status == status).Word;

    /// <summary>The reason phrase of a status.</summary>
    public static string? Phrase(int status) => Phrases.GetValueOrDefault(status);

    /// <summary>A word for a cause of Q.850.</summary>
    public static string OfCause(int cause) => cause switch
    {
        1 or 3 => "noroute",
        17 => "busy",
        18 or 19 => "noanswer",
        20 => "offline",
        21 => "forbidden",
        28 => "incomplete",
        34 or 38 or 41 or 42 => "congestion",
        65 or 88 => "nomedia",
        _ => "failure",
    };

    /// <summary>The SIP status a phone refuses with for a cause of Q.850 (RFC 3398, 7.2.4.1).</summary>
    public static int StatusOfCause(int cause) => cause switch
    {
        1 or 3 => 404,
        17 => 486,
        18 or 19 or 20 => 480,
        21 => 603,
        22 => 410,
        28 => 484,
        34 or 38 or 41 or 42 => 503,
        65 or 88 => 488,
        _ => 500,
    };
}
