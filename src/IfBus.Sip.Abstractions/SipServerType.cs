namespace IfBus.Sip;

/// <summary>The kinds of SIP server that the module speaks to.</summary>
public enum SipServerType
{
    /// <summary>Asterisk, over the Manager Interface (AMI).</summary>
    Asterisk,

    /// <summary>FreeSWITCH, over the Event Socket (ESL, inbound mode).</summary>
    FreeSwitch,

    /// <summary>Yate, over its external module protocol (extmodule, TCP).</summary>
    Yate,

    /// <summary>Kamailio, a proxy, over JSON-RPC on HTTP; events over its evapi socket where its script has one.</summary>
    Kamailio,

    /// <summary>Flexisip, over its account manager's HTTP interface (FlexiAPI).</summary>
    Flexisip,

    /// <summary>OpenSIPS, a proxy, over its management interface (JSON-RPC on HTTP) and its event stream.</summary>
    OpenSips,
}
