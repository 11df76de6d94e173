namespace IfBus.Sip.Tests.Support;

/// <summary>A test of the contract. Against simulators it always runs.</summary>
public sealed class ServerFactAttribute : FactAttribute;

/// <summary>A test of the contract with data. Against simulators it always runs.</summary>
public sealed class ServerTheoryAttribute : TheoryAttribute;

/// <summary>A test of FreeSWITCH's contract. Against the simulator it always runs.</summary>
public sealed class FreeSwitchFactAttribute : FactAttribute;

/// <summary>A test of FreeSWITCH's contract with data. Against the simulator it always runs.</summary>
public sealed class FreeSwitchTheoryAttribute : TheoryAttribute;

/// <summary>A test of FreeSWITCH's contract that restarts the server. Against the simulator it always runs.</summary>
public sealed class FreeSwitchRestartFactAttribute : FactAttribute;

/// <summary>A test of Yate's contract. Against the simulator it always runs.</summary>
public sealed class YateFactAttribute : FactAttribute;

/// <summary>A test of Yate's contract with data. Against the simulator it always runs.</summary>
public sealed class YateTheoryAttribute : TheoryAttribute;

/// <summary>A test of Yate's contract that restarts the server. Against the simulator it always runs.</summary>
public sealed class YateRestartFactAttribute : FactAttribute;

/// <summary>A test of FlexiAPI's contract. Against the simulator it always runs.</summary>
public sealed class FlexisipFactAttribute : FactAttribute;
/// <summary>A test of OpenSIPS's contract. Against the simulator it always runs.</summary>
public sealed class OpenSipsFactAttribute : FactAttribute;

/// <summary>A test of OpenSIPS's contract with data. Against the simulator it always runs.</summary>
public sealed class OpenSipsTheoryAttribute : TheoryAttribute;

/// <summary>A test of Kamailio's contract. Against the simulator it always runs.</summary>
public sealed class KamailioFactAttribute : FactAttribute;

/// <summary>A test of Kamailio's contract with data. Against the simulator it always runs.</summary>
public sealed class KamailioTheoryAttribute : TheoryAttribute;
