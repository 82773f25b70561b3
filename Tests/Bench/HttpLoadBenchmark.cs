using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

namespace Broker.Bench;

/// <summary>Calls an address at a steady rate, whether or not earlier calls have been answered.</summary>
internal static class HttpLoadBenchmark
{
    /// <param name="arguments">Address, `name:secret`, calls a second, seconds.</param>
    public static void Run(string[] arguments) =>
        RunAsync(new Uri(arguments[0]), arguments[1], int.Parse(arguments[2], CultureInfo.InvariantCulture), int.Parse(arguments[3], CultureInfo.InvariantCulture)).GetAwaiter().GetResult();

    private static async Task RunAsync(Uri address, string credential, int rate, int seconds)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credential)));
        var calls = new List<Task<double>>();
        var clock = Stopwatch.StartNew();
        for (var number = 0; number < rate * seconds; number++)
        {
            var due = TimeSpan.FromSeconds((double)number / rate);
            if (due > clock.Elapsed) await Task.Delay(due - clock.Elapsed);
            calls.Add(CallAsync());
        }

        var times = await Task.WhenAll(calls);
        var good = times.Where(time => time >= 0).Order().ToArray();
        Console.WriteLine($"{good.Length} answers, {times.Length - good.Length} failures, p50 {good[good.Length / 2]:F1} ms, p99 {good[good.Length * 99 / 100]:F1} ms");

        async Task<double> CallAsync()
        {
            var began = Stopwatch.GetTimestamp();
            try
            {
                using var answer = await http.GetAsync(address);
                await answer.Content.CopyToAsync(Stream.Null);
                return answer.IsSuccessStatusCode ? Stopwatch.GetElapsedTime(began).TotalMilliseconds : -1;
            }
            catch (HttpRequestException)
            {
                return -1;
            }
        }
    }
}
