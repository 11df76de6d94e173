#pragma warning disable
namespace IfBus.Sip.Simulators;
public sealed class AsteriskSimulatorOptions { public int Port {get;set;} public string Version{get;set;}=""; public string User{get;set;}=""; public string Secret{get;set;}=""; public TimeSpan RingTime{get;set;} }
public sealed class AsteriskSimulator : IAsyncDisposable, IDisposable { public static AsteriskSimulator Start(AsteriskSimulatorOptions? o=null)=>new(); public string Host="127.0.0.1"; public int Port; public string User=""; public string Secret=""; public string Version=""; public bool Tls; public int ActiveCalls; public int Connections; public void Dispose(){} public ValueTask DisposeAsync()=>default; }
