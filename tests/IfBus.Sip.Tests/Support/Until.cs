using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace IfBus.Sip.Tests.Support;

/// <summary>Waits for what a test waits for, by name; how long it takes does not matter.</summary>
internal static class Until
{
    public static Task TrueAsync(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string? what = null) => TrueAsync(() => Task.FromResult(condition()), what);

    public static async Task TrueAsync(Func<Task<bool>> condition, [CallerArgumentExpression(nameof(condition))] string? what = null)
    {
        var watch = Stopwatch.StartNew();
        while (!await condition())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), "It never came to: " + what);
            await Task.Delay(10);
        }
    }
}
