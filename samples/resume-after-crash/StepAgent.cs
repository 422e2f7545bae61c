using System.Text.Json.Nodes;

namespace Statehouse.Samples.ResumeAfterCrash;

/// <summary>
/// An agent of N steps that may be killed at any moment and started again. Each step: write the intention, act on the
/// outside world, write the result. Every write carries an idempotency key made of run and step, never of the
/// attempt: so what is done again after a crash happens once.
/// </summary>
/// <remarks>
/// The outside world is a second agent, <c>world</c>, with a journal of its own. It stands for a payment or mail service
/// that takes an idempotency key; one that does not can only be called at least once.
/// </remarks>
internal sealed class StepAgent(StatehouseClient statehouse, SampleOptions options, TimeProvider clock)
{
    private const string World = "world";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        IReadOnlyDictionary<string, JsonNode?> known = await statehouse.ScanAsync(options.Run, "step:", cancellationToken);
        Console.WriteLine($"{options.Run}: {known.Values.Count(IsDone)} of {options.Steps} steps are done");
        for (int step = 1; step <= options.Steps; step++)
        {
            JsonNode? before = known.GetValueOrDefault(StepKey(step));
            if (!IsDone(before))
                await TakeStepAsync(step, isIntended: before is not null, cancellationToken);
        }
        Console.WriteLine($"{options.Run}: done");
    }

    private async Task TakeStepAsync(int step, bool isIntended, CancellationToken cancellationToken)
    {
        if (isIntended)
            Console.WriteLine($"step {step}: was pending when we stopped, going on");
        else
            await StoreAsync(step, new JsonObject { ["status"] = "pending", ["intent"] = $"order item {step}" }, cancellationToken);

        await Task.Delay(options.Think / 2, clock, cancellationToken);
        long worldVersion = await ActAsync(step, cancellationToken);
        Console.WriteLine($"step {step}: acted");
        await Task.Delay(options.Think / 2, clock, cancellationToken);

        // The receipt of a repeat is the first one, so the result is the same however often this line is reached.
        var result = new JsonObject { ["world_version"] = worldVersion };
        await StoreAsync(step, new JsonObject { ["status"] = "done", ["result"] = result }, cancellationToken);
        Console.WriteLine($"step {step}: done");
    }

    /// <summary>The side effect.</summary>
    /// <returns>The version that it became in the world's journal.</returns>
    private Task<long> ActAsync(int step, CancellationToken cancellationToken) =>
        statehouse.PutAsync(
            World, $"order:{options.Run}:{step}", new JsonObject { ["item"] = step },
            idempotencyKey: $"{options.Run}/{StepKey(step)}/act", cancellationToken);

    private Task<long> StoreAsync(int step, JsonObject value, CancellationToken cancellationToken) =>
        statehouse.PutAsync(
            options.Run, StepKey(step), value,
            idempotencyKey: $"{options.Run}/{StepKey(step)}/{value["status"]}", cancellationToken);

    private static string StepKey(int step) => $"step:{step}";

    private static bool IsDone(JsonNode? step) => (string?)step?["status"] == "done";
}
