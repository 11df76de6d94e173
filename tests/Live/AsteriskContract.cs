using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>The contract on a real Asterisk 22 with SIPp far ends.</summary>
public sealed class AsteriskContract : CallContract
{
    protected override ContractServer Server => LiveServer.Contract;
}

/// <summary>The contract of call control on a real Asterisk 22 with SIPp far ends.</summary>
public sealed class AsteriskControl : ControlContract
{
    protected override ContractServer Server => LiveServer.Contract;
}
