namespace IfBus.Sip.Adapters.Yate;

/// <summary>Takes what the engine tells, on the session's reader.</summary>
internal interface IExtModuleSink
{
    /// <summary>A message that is watched. The line holds only until the return.</summary>
    void OnMessage(scoped in YateLine message, ReadOnlySpan<byte> line);

    /// <summary>
    /// A message that a handler of ours must answer with <see cref="ExtModuleSession.Answer"/>; a thread of the engine
    /// waits for it. The line holds only until the return.
    /// </summary>
    void OnRequest(ExtModuleSession session, scoped in YateLine message, ReadOnlySpan<byte> line);

    /// <summary>The messages of one read follow.</summary>
    void OnReadBegins();

    /// <summary>All messages of the read were given.</summary>
    void OnReadEnds();
}
