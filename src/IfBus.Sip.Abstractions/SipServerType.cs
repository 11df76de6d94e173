namespace IfBus.Sip;

/// <summary>The kinds of SIP server that the module speaks to.</summary>
public enum SipServerType
{
    /// <summary>Asterisk, over the Manager Interface (AMI).</summary>
    Asterisk,

    /// <summary>FreeSWITCH, over the Event Socket (ESL, inbound mode).</summary>
    FreeSwitch,

    /// <summary>Kamailio, a proxy, over JSON-RPC on HTTP; events over its evapi socket where its script has one.</summary>
    Kamailio,

    /// <summary>OpenSIPS, a proxy, over its management interface (JSON-RPC on HTTP) and its event stream.</summary>
    OpenSips,
}
