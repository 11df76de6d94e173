namespace IfBus.Sip.Adapters.Yate;

/// <summary>What a line of the engine is.</summary>
internal enum YateLineKind
{
    /// <summary>None of those below.</summary>
    Other,
    /// <summary>%%&gt;message: the engine asks a handler of ours.</summary>
    Request,
    /// <summary>%%&lt;message with an id: the answer to a message of ours.</summary>
    Answer,
    /// <summary>%%&lt;message without an id: a message that we watch, after its handlers.</summary>
    Watched,
    /// <summary>The answer to setlocal, install, uninstall, watch, unwatch or quit.</summary>
    Local,
    /// <summary>Error in: a line of ours that the engine did not take.</summary>
    Error,
}
