namespace IfBus.Sip.Tests.Support;

/// <summary>A test of the contract. Against simulators it always runs.</summary>
public sealed class ServerFactAttribute : FactAttribute;

/// <summary>A test of the contract with data. Against simulators it always runs.</summary>
public sealed class ServerTheoryAttribute : TheoryAttribute;
