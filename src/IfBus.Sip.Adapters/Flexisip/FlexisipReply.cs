using System.Text.Json;

namespace IfBus.Sip.Adapters.Flexisip;

/// <summary>A reply that was read to its end.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Text">The body as text.</param>
/// <param name="Json">The body as JSON, if it is some: by its label or by its look, since some JSON is labelled HTML.</param>
internal sealed record FlexisipReply(int Status, string Text, JsonElement? Json)
{
    /// <summary>200 to 299.</summary>
    public bool IsSuccess => Status is >= 200 and < 300;

    /// <summary>Where a redirect points.</summary>
    public string? Location { get; init; }

    /// <summary>Retry-After.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The WWW-Authenticate headers.</summary>
    public IReadOnlyList<string> Challenges { get; init; } = [];

    /// <summary>X-RateLimit-Limit: version 2.0 has it, 2.1 has not.</summary>
    public int? RateLimit { get; init; }

    /// <summary>Reads a body. What is no JSON, whatever it says, stays text.</summary>
    public static JsonElement? Parse(ReadOnlyMemory<byte> body, bool labelled)
    {
        ReadOnlySpan<byte> text = body.Span.TrimStart(" \r\n\t"u8);
        if (text.IsEmpty || !(labelled || text[0] is (byte)'{' or (byte)'[')) return null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(body);
            return document.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
